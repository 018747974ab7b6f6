apache2-utils: pkg.installed

/etc/nginx/htpasswd:
  file.managed:
    - user: root
    - group: www-data
    - mode: 640
    - replace: False

/etc/nginx/snippets/auth.conf:
  file.managed:
    - contents: |
        auth_basic "Members";
        auth_basic_user_file /etc/nginx/htpasswd;
    - makedirs: True
    - require:
      - /etc/nginx/htpasswd

reload nginx:
  cmd.run:
    - name: nginx -t && nginx -s reload
    - onlyif: pgrep -x nginx
    - onchanges:
      - file: /etc/nginx/snippets/auth.conf
