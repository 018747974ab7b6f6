include:
  - munin.node

munin:
  pkg.installed

/etc/munin/munin-conf.d/hosts.conf:
  file.managed:
    - contents: |
        [web1.example.org]
          address 10.0.0.2
    - require:
      - pkg: munin

/srv/www/munin:
  file.symlink:
    - target: /var/cache/munin/www
    - makedirs: True
    - require:
      - pkg: munin

munin graphs:
  cmd.run:
    - name: munin-cron
    - runas: munin
    - onchanges:
      - file: /etc/munin/munin-conf.d/hosts.conf
    - require:
      - service: munin-node
