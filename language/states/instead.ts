const FUNCTIONS =
  'functions of modules cannot be called: declare what is to be, or write cmd.run with the command';
const EVENTS = 'every outcome of a run is an event on the master already';
const FACTS = 'facts are what the host says: put what you decide into its pillar';
const ONE_MASTER = 'one master applies states to targets: master apply --target TARGET FILE';
const LINK =
  'write file.symlink or file.absent below /etc/apache2, and service.running with "watch"';
const DATABASE = 'write cmd.run with psql and "unless"';
const NETWORK = 'write cmd.run with "docker network create" and "unless: docker network inspect"';

/** State types of Salt's that have no place here, and what is written instead; a module alone stands for all of its. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['module', FUNCTIONS],
  ['cmd.call', FUNCTIONS],
  ['cmd.wait_call', FUNCTIONS],
  ['cmd.mod_watch', 'write cmd.wait'],
  ['cmd.watch', 'write cmd.wait'],
  ['git.config', 'write git.config_set'],
  ['git.present', 'write cmd.run with git init --bare and "creates"'],
  ['cmd.wait_script', 'write cmd.script with "onchanges" in place of "watch"'],
  ['virtualenv.manage', 'write virtualenv.managed'],
  ['event', EVENTS],
  ['grains', FACTS],
  ['salt', ONE_MASTER],
  ['docker.running', 'write docker_container.running'],
  ['docker.pulled', 'write docker_image.present'],
  ['docker_image.pulled', 'write docker_image.present'],
  ['dockerng.running', 'write docker_container.running'],
  ['docker_network', NETWORK],
  [
    'docker_volume',
    'write cmd.run with "docker volume create" and "unless: docker volume inspect"',
  ],
  ['docker_compose', 'write docker_container.running for each of its services'],
  ['supervisord.running', 'write supervisor.program'],
  ['supervisord.dead', 'write supervisor.program_absent'],
  ['locale.system_locale', 'write locale.system'],
  ['network.system', 'write hostname.system'],
  ['network', 'write file.managed for /etc/network/interfaces.d or /etc/systemd/network'],
  ['iptables', 'write firewall.rule'],
  ['nftables', 'write firewall.rule'],
  ['ufw', 'write firewall.rule'],
  ['firewalld', 'write firewall.rule'],
  ['postgres_tablespace', DATABASE],
  ['postgres_language', DATABASE],
  ['postgres_cluster', 'write cmd.run with pg_createcluster and "creates"'],
  ['postgres_initdb', 'write cmd.run with pg_createcluster and "creates"'],
  ['file.sed', 'write file.replace'],
  ['file.retention_schedule', 'write file.tidied'],
  ['file.patch', 'write cmd.run with patch, and "unless" with patch --dry-run --reverse'],
  ['file.cached', 'name the address as the "source" of the state that needs it'],
  ['file.not_cached', 'nothing is cached: remove it'],
  ['file.decode', 'write file.managed with contents: "{{ … }}"'],
  [
    'ini',
    'write file.keyvalue, or file.serialize with "serializer: ini" and "merge_if_exists: true"',
  ],
  ['augeas', 'write file.keyvalue, file.line or file.replace'],
  ['apache', LINK],
  ['apache_module', LINK],
  ['apache_site', LINK],
  ['apache_conf', LINK],
  ['test.check_pillar', 'write assert.that with what the pillar must say'],
  ['debconf.set_file', 'write debconf.set with the answers'],
  ['http.wait_for_successful_query', 'write http.query with "wait_for"'],
  ['logrotate.set', 'write logrotate.config'],
  ['htpasswd', 'write file.managed with the lines that htpasswd makes'],
  ['webutil', 'write file.managed with the lines that htpasswd makes'],
  ['at', 'write cron.present'],
  ['incron', 'write systemd.unit with a unit that ends in .path'],
  ['schedule', 'every minion converges daily by itself; other times are for cron.present'],
  ['pip.uptodate', 'write pip.installed with "upgrade: true"'],
  ['pip2', 'write pip.installed'],
  ['pip3', 'write pip.installed'],
  ['gem', 'write cmd.run with gem install and "unless: gem list -i NAME"'],
]);

/** Arguments of Salt's by another name, or of no use; `*` stands for any type. */
const ARGUMENTS: ReadonlyMap<string, string> = new Map([
  ['* onfail_stop', 'remove it: what requires a failed state is skipped whatever follows it'],
  ['cmd.run user', 'write "runas"'],
  ['cmd.wait user', 'write "runas"'],
  ['cmd.wait group', 'write "runas": the command has the groups of that user'],
  ['git.latest force', 'write "force_clone"'],
  ['* show_diff', 'write "show_changes"'],
  ['pkg.installed reinstall', 'write cmd.run with apt-get install --reinstall and a guard'],
  ['pkg.installed upgrade', 'write pkg.latest'],
  ['pkg.installed pkgrepo', 'write "require: [{pkgrepo: …}]"'],
  ['file.directory createdirs', 'write "makedirs"'],
  ['cmd.script user', 'write "runas"'],
  ['cmd.run group', 'write "runas": the command has the groups of that user'],
  ['cmd.run quiet', 'write "hide_output"'],
  ['cmd.run python_shell', 'remove it: a line is read by a shell'],
  ['cmd.run reset_system_locale', 'remove it: a command gets a small clean environment'],
  ['cmd.run success_stdout', 'let the command end with 0 where it has succeeded'],
  ['cmd.run success_stderr', 'let the command end with 0 where it has succeeded'],
  ['cmd.run prepend_path', 'write "env: [{PATH: DIRECTORY:/usr/sbin:/usr/bin:/sbin:/bin}]"'],
  ['archive.extracted tar_options', 'write "options"'],
  ['archive.extracted zip_options', 'write "options"'],
  ['archive.extracted keep', 'remove it: an archive is not kept'],
  [
    'mysql_user.present auth_plugin',
    'write "unix_socket: true", or "password" for the usual plugin',
  ],
  ['postgres_database.present owner_recurse', 'write cmd.run with REASSIGN OWNED'],
  ['pkg.installed reinstall', 'write cmd.run with apt-get install --reinstall and "onchanges"'],
  ['mount.mounted hidden_opts', 'write them in "opts"'],
  [
    'mount.mounted extra_mount_invisible_options',
    'remove it: what the kernel does not show is not compared',
  ],
  [
    'mount.mounted extra_mount_invisible_keys',
    'remove it: what the kernel does not show is not compared',
  ],
  ['mount.mounted user', 'write it in "opts"'],
  ['user.present loginclass', 'remove it: only BSD has login classes'],
  ['user.present win_homedrive', 'remove it: it is only of use on Windows'],
  ['file.recurse recurse', 'write user, group, dir_mode and file_mode: they hold for all files'],
  ['docker_container.running networks', 'write "network_mode" for the first of them'],
  [
    'docker_container.running links',
    'write "network_mode": containers of one network find each other by name',
  ],
  ['docker_container.running ports', 'write "port_bindings"'],
  ['docker_container.running force', 'remove it: a container that differs is made anew'],
  [
    'docker_container.running log_driver',
    'write it into /etc/docker/daemon.json with file.serialize',
  ],
  ['docker_container.running log_opt', 'write it into /etc/docker/daemon.json with file.serialize'],
]);

/** What to write in place of a state type that Salt has; `null` if it is not known either. */
export function insteadOf(type: string): string | null {
  return INSTEAD.get(type) ?? INSTEAD.get(type.replace(/\..*$/u, '')) ?? null;
}

/** What to write in place of an argument that Salt has. */
export function insteadOfArgument(type: string, argument: string): string | null {
  return ARGUMENTS.get(`${type} ${argument}`) ?? ARGUMENTS.get(`* ${argument}`) ?? null;
}
