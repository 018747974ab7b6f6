import { liars } from './liars.ts';
import { serve } from './serve.ts';

await serve(liars);
