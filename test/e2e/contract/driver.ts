import { stateTypes } from '../../../minion/state-types/index.ts';
import { serve } from './serve.ts';

await serve(stateTypes);
