/etc/apt/sources.list:
  file.managed:
    - contents:
      - deb http://deb.debian.org/debian bookworm main contrib
      - deb http://deb.debian.org/debian bookworm-updates main contrib
      - deb http://security.debian.org/debian-security bookworm-security main
    - order: 1

apt-get update:
  cmd.run:
    - onchanges:
      - file: /etc/apt/sources.list

/etc/apt/apt.conf.d/99no-recommends:
  file.managed:
    - contents: 'APT::Install-Recommends "false";'
    - order: first

apt-transport-https:
  pkg.installed:
    - require:
      - cmd: apt-get update
