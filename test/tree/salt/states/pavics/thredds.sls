tomcat:
  pkg.installed:
    - name: tomcat10
  service.running:
    - name: tomcat10
    - watch:
      - file: thredds catalog
      - archive: thredds

thredds:
  archive.extracted:
    - name: /var/lib/tomcat10/webapps/thredds
    - source: https://example.org/thredds-5.4.war
    - source_hash: https://example.org/thredds-5.4.war.sha256
    - archive_format: zip
    - enforce_toplevel: False
    - if_missing: /var/lib/tomcat10/webapps/thredds/WEB-INF
    - require:
      - pkg: tomcat

thredds catalog:
  file.managed:
    - name: /srv/thredds/catalog.xml
    - source: salt://pavics/files/catalog.xml
    - makedirs: True
    - user: tomcat
    - dir_mode: 755
    - require:
      - pkg: tomcat

/srv/data:
  file.directory:
    - user: tomcat
    - max_depth: 1
    - recurse:
      - user
