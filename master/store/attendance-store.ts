/**
 * Who was on the line when a master ended, however it ended. A minion is noted as connected when it comes (`note`), and as
 * gone when it goes: whom a master has left connected was there to its end.
 */
export interface AttendanceStore {
  /** A master lives, and so all that it has noted as connected are. */
  alive(at: string): Promise<void>;
  /** For a master that begins: whom the one before it has left connected, or still awaited itself. */
  left(): Promise<readonly string[]>;
  /** From now on they are awaited. They were seen last when that master was known to live last, if not later. */
  takeOver(): Promise<void>;
  /** Whoever has not come by now is awaited no more. */
  awaitNoMore(): Promise<void>;
}
