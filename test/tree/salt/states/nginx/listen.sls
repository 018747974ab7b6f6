nginx:
  service.running:
    - listen:
      - file: nginx settings

nginx settings:
  file.managed:
    - name: /etc/nginx/conf.d/settings.conf
    - contents: keepalive_timeout 20;

nginx timeouts:
  file.managed:
    - name: /etc/nginx/conf.d/timeouts.conf
    - contents: proxy_read_timeout 60;
    - listen_in:
      - service: nginx
