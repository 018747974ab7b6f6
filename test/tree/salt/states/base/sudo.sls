sudo:
  pkg.installed

/etc/sudoers.d/deploy:
  file.managed:
    - contents: "deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart app"
    - user: root
    - group: root
    - mode: '0440'
    - check_cmd: /usr/sbin/visudo -c -f
    - require:
      - pkg: sudo

/etc/sudoers.d/old-deploy:
  file.absent: []
