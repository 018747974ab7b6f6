# A reference finds a state by its name as well as by its ID.
web server:
  pkg.installed:
    - name: nginx-light

web configuration:
  file.managed:
    - name: /etc/nginx/conf.d/app.conf
    - contents: gzip on;
    - require:
      - pkg: nginx-light

web process:
  service.running:
    - name: nginx
    - watch:
      - file: /etc/nginx/conf.d/app.conf
    - require:
      - pkg: web server
