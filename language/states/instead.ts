const FUNCTIONS =
  'functions of modules cannot be called: declare what is to be, or write cmd.run with the command';

/** State types of Salt's that have no place here, and what is written instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['module.run', FUNCTIONS],
  ['module.wait', FUNCTIONS],
  ['module.watch', FUNCTIONS],
  ['cmd.call', FUNCTIONS],
  ['cmd.wait_call', FUNCTIONS],
  ['cmd.mod_watch', 'write cmd.wait'],
  ['service.mod_watch', 'write service.running with "watch"'],
  ['virtualenv.manage', 'write virtualenv.managed'],
  ['event.send', 'every outcome of a run is an event on the master already'],
  ['event.wait', 'every outcome of a run is an event on the master already'],
  ['grains.present', 'facts are what the host says: put what you decide into its pillar'],
  ['grains.list_present', 'facts are what the host says: put what you decide into its pillar'],
  ['salt.state', 'one master applies states to targets: master apply --target TARGET FILE'],
  ['salt.function', 'one master applies states to targets: master apply --target TARGET FILE'],
  ['docker.running', 'write docker_container.running'],
  ['docker.pulled', 'write docker_image.present'],
  ['docker_image.pulled', 'write docker_image.present'],
  ['dockerng.running', 'write docker_container.running'],
  ['supervisord.running', 'write supervisor.program'],
  ['supervisord.dead', 'write supervisor.program_absent'],
  ['host.only', 'write hosts.only'],
  ['locale.system_locale', 'write locale.system'],
]);

/** What to write in place of a state type that Salt has; `null` if it is not known either. */
export function insteadOf(type: string): string | null {
  return INSTEAD.get(type) ?? null;
}
