elife group:
  group.present:
    - name: elife
    - system: False

elife user:
  user.present:
    - name: elife
    - shell: /bin/bash
    - groups:
      - elife
    - home: /home/elife
    - require:
      - group: elife

elife ssh dir:
  file.directory:
    - name: /home/elife/.ssh
    - user: elife
    - group: elife
    - mode: 700
    - require:
      - user: elife user

elife bashrc:
  file.managed:
    - name: /home/elife/.bashrc
    - source: salt://elife/files/bashrc
    - user: elife
    - require:
      - elife user

elife profile:
  file.blockreplace:
    - name: /home/elife/.profile
    - marker_start: '# BEGIN managed'
    - marker_end: '# END managed'
    - content: umask 002
    - append_if_not_found: True
    - require:
      - elife user

webserver user in elife group:
  cmd.run:
    - name: usermod -a -G elife www-data
    - unless: groups www-data | grep -qw elife
    - require:
      - group: elife group
