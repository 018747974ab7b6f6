openjdk-17-jre-headless:
  pkg.installed

java:
  alternatives.set:
    - path: /usr/lib/jvm/java-17-openjdk-amd64/bin/java
    - require:
      - pkg: openjdk-17-jre-headless

/etc/profile.d/java.sh:
  file.managed:
    - contents: export JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64
    - mode: 644

editor:
  alternatives.install:
    - link: /usr/bin/editor
    - path: /usr/bin/vim.nox
    - priority: 100
