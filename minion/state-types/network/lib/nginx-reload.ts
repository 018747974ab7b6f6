import { z } from 'zod';

/** The argument `reload` of what belongs to the configuration of nginx. */
export const reload = z
  .boolean()
  .default(true)
  .describe(
    'Makes a running nginx take it at once, and fails if it does not. false leaves that to a service that watches: ' +
      '`systemctl reload` succeeds also where nginx stays with its old configuration, as for an address in use, and ' +
      'then nobody is told',
  );
