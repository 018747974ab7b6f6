nginx repository:
  pkgrepo.managed:
    - humanname: nginx
    - name: deb [signed-by=/etc/apt/keyrings/nginx.gpg] http://nginx.org/packages/debian bookworm nginx
    - file: /etc/apt/sources.list.d/nginx.list
    - key_url: https://nginx.org/keys/nginx_signing.key
    - require_in:
      - pkg: nginx

/etc/apt/preferences.d/nginx:
  file.managed:
    - contents: |
        Package: nginx*
        Pin: origin nginx.org
        Pin-Priority: 900
    - require_in:
      - pkg: nginx

nginx:
  pkg.installed:
    - refresh: True
