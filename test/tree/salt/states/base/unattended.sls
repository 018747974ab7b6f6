unattended-upgrades:
  pkg.installed

/etc/apt/apt.conf.d/20auto-upgrades:
  file.managed:
    - contents: |
        APT::Periodic::Update-Package-Lists "1";
        APT::Periodic::Unattended-Upgrade "1";
    - require:
      - pkg: unattended-upgrades

/etc/apt/apt.conf.d/50unattended-upgrades:
  file.comment:
    - regex: ^\s+"origin=Debian,codename=\$\{distro_codename\}-updates";
    - char: //
    - require:
      - pkg: unattended-upgrades
