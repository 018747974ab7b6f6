# The state that is prepared for stands first in the file, and its preparation after it.
upgrade:
  cmd.run:
    - name: /opt/app/upgrade
    - unless: /opt/app/upgrade --is-current

announce:
  file.managed:
    - name: /srv/www/upgrading
    - contents: soon
    - prereq:
      - cmd: upgrade

snapshot:
  cmd.run:
    - name: /opt/app/snapshot
    - prereq:
      - cmd: upgrade
    - require:
      - file: announce
