include:
  - .init

extend:
  nginx:
    service:
      - watch:
        - file: /etc/nginx/conf.d/upstream.conf
    pkg:
      - version: 1.22*
  /etc/nginx/nginx.conf:
    file:
      - source: salt://nginx/files/nginx-big.conf

/etc/nginx/conf.d/upstream.conf:
  file.managed:
    - contents: |
        upstream app {
          server 127.0.0.1:8000;
        }
    - require:
      - pkg: nginx
