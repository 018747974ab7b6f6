nfs-kernel-server:
  pkg.installed: []
  service.running:
    - enable: True
    - require:
      - pkg: nfs-kernel-server

/etc/exports:
  file.managed:
    - contents: /srv/data 10.0.0.0/24(rw,sync,no_subtree_check)
    - require:
      - pkg: nfs-kernel-server

exportfs -ra:
  cmd.run:
    - onchanges:
      - file: /etc/exports
    - require:
      - service: nfs-kernel-server
