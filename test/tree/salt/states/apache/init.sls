apache2:
  pkg.installed: []
  service.running:
    - enable: True
    - watch:
      - cmd: enable modules
      - file: /etc/apache2/sites-available/wiki.conf

enable modules:
  cmd.run:
    - name: a2enmod rewrite ssl headers
    - unless: test -e /etc/apache2/mods-enabled/rewrite.load
    - require:
      - pkg: apache2

/etc/apache2/sites-available/wiki.conf:
  file.managed:
    - source: salt://apache/files/wiki.conf
    - require:
      - pkg: apache2

a2ensite wiki:
  cmd.run:
    - creates: /etc/apache2/sites-enabled/wiki.conf
    - require:
      - file: /etc/apache2/sites-available/wiki.conf
    - require_in:
      - service: apache2
