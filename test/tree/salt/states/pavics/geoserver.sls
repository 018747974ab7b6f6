geoserver data:
  file.directory:
    - name: /srv/geoserver
    - user: geoserver
    - makedirs: True
    - require:
      - user: geoserver

geoserver:
  user.present:
    - shell: /bin/false
    - empty_password: False

geoserver layers:
  file.recurse:
    - name: /srv/geoserver/layers
    - source: salt://pavics/files/layers
    - user: geoserver
    - exclude_pat: E@\.bak$
    - require:
      - file: geoserver data

geoserver admin:
  cmd.script:
    - name: salt://pavics/files/set-admin.sh
    - runas: geoserver
    - creates: /srv/geoserver/.admin-set
    - require:
      - file: geoserver layers
