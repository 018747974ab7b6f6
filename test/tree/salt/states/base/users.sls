deploy:
  group.present:
    - gid: 2000
  user.present:
    - fullname: Deployment
    - uid: 2000
    - gid: 2000
    - home: /home/deploy
    - shell: /bin/bash
    - groups:
      - adm
    - require:
      - group: deploy

/home/deploy/.ssh:
  file.directory:
    - user: deploy
    - group: deploy
    - mode: 700
    - require:
      - user: deploy

deploy keys:
  ssh_auth.present:
    - user: deploy
    - names:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBWTwqyzQ8h5UMfPlQjVgVwFsWbJcbKJHHDyPGrKuzZd dana@laptop
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkkoYxG8CmWZPyG3LcFX7kM9Yh8Vpf8nMg7sOVbTn2o noa@desktop
    - require:
      - file: /home/deploy/.ssh
