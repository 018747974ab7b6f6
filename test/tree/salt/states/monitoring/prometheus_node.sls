prometheus:
  user.present:
    - system: True
    - home: /var/lib/prometheus
    - createhome: False
    - shell: /usr/sbin/nologin

node exporter:
  archive.extracted:
    - name: /opt/node_exporter
    - source: https://example.org/node_exporter-1.8.1.linux-amd64.tar.gz
    - source_hash: sha256=fbadb376afa7c883f87f70795700a8a200f7fd45412532cc1938a24d41078011
    - user: root
    - group: root
    - options: --strip-components=1
    - enforce_toplevel: False

/etc/systemd/system/node_exporter.service:
  file.managed:
    - source: salt://monitoring/files/node_exporter.service

node_exporter:
  service.running:
    - enable: True
    - watch:
      - archive: node exporter
      - file: /etc/systemd/system/node_exporter.service
    - require:
      - user: prometheus
