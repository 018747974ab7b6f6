/swapfile:
  cmd.run:
    - name: |
        fallocate -l 2G /swapfile
        chmod 600 /swapfile
        mkswap /swapfile
    - creates: /swapfile
  mount.swap:
    - persist: True
    - require:
      - cmd: /swapfile
