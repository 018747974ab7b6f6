/srv/shop/.ssh:
  file.directory:
    - user: shop
    - group: shop
    - mode: 700
    - makedirs: True

/srv/shop/.ssh/config:
  file.managed:
    - contents: |
        Host git.example.org
          IdentityFile ~/.ssh/deploy
    - user: shop
    - group: shop
    - mode: 600
    - require:
      - file: /srv/shop/.ssh

git.example.org:
  ssh_known_hosts.present:
    - user: shop
    - key: AAAAC3NzaC1lZDI1NTE5AAAAIBWTwqyzQ8h5UMfPlQjVgVwFsWbJcbKJHHDyPGrKuzZd
    - enc: ssh-ed25519
    - require:
      - file: /srv/shop/.ssh

private checkout:
  git.latest:
    - name: git@git.example.org:team/shop.git
    - target: /srv/shop/private
    - user: shop
    - identity: /srv/shop/.ssh/deploy
    - require:
      - ssh_known_hosts: git.example.org
      - file: /srv/shop/.ssh/config
