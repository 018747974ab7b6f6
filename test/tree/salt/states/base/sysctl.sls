vm.swappiness:
  sysctl.present:
    - value: 10

net.core.somaxconn:
  sysctl.present:
    - value: 1024
    - config: /etc/sysctl.d/90-web.conf

vm.overcommit_memory:
  sysctl.present:
    - value: 1
