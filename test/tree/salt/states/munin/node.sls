munin-node:
  pkg.installed: []
  service.running:
    - enable: True
    - watch:
      - file: /etc/munin/munin-node.conf
      - file: munin plugins

/etc/munin/munin-node.conf:
  file.managed:
    - source: salt://munin/files/munin-node.conf
    - mode: 644
    - require:
      - pkg: munin-node

munin plugins:
  file.symlink:
    - names:
      - /etc/munin/plugins/nginx_request:
        - target: /usr/share/munin/plugins/nginx_request
      - /etc/munin/plugins/nginx_status:
        - target: /usr/share/munin/plugins/nginx_status
      - /etc/munin/plugins/postgres_size_shop:
        - target: /usr/share/munin/plugins/postgres_size_
    - require:
      - pkg: munin-node
