openssh-server:
  pkg.installed: []

/etc/ssh/sshd_config:
  file.managed:
    - source: salt://base/files/sshd_config
    - user: root
    - group: root
    - mode: 600
    - backup: minion
    - check_cmd: /usr/sbin/sshd -t -f
    - require:
      - pkg: openssh-server

/etc/ssh/banner:
  file.managed:
    - contents: |
        Be kind.
    - require_in:
      - service: ssh

ssh:
  service.running:
    - enable: True
    - reload: True
    - watch:
      - file: /etc/ssh/sshd_config
