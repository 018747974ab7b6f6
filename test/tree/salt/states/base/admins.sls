dana:
  user.present:
    - fullname: Dana Levi
    - shell: /bin/bash
    - optional_groups:
      - sudo
      - docker
    - remove_groups: False
  ssh_auth.present:
    - user: dana
    - name: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBWTwqyzQ8h5UMfPlQjVgVwFsWbJcbKJHHDyPGrKuzZd dana@laptop
    - require:
      - user: dana

yossi:
  user.absent:
    - purge: True
    - force: True
