# The same with mappings in place of lists: both forms are one.
/opt/tools:
  file.directory:
    user: root
    group: staff
    mode: 2775

/opt/tools/README:
  file.managed:
    contents: tools of the team
    require:
      - file: /opt/tools

tools link:
  file.symlink:
    name: /usr/local/tools
    target: /opt/tools
    require: [{file: /opt/tools}, {file: /opt/tools/README}]
