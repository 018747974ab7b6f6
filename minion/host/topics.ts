/** What is read once and shared, until somebody says that it is no longer true. */
export interface Topics {
  shared<T>(topic: string, load: () => Promise<T>): Promise<T>;
  forget(topic: string): void;
  forgetAll(): void;
}

export function createTopics(): Topics {
  const held = new Map<string, Promise<unknown>>();
  return {
    async shared<T>(topic: string, load: () => Promise<T>): Promise<T> {
      const known = held.get(topic);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a topic has one loader, so one type
      if (known !== undefined) return known as Promise<T>;
      const loading = load();
      held.set(topic, loading);
      try {
        return await loading;
      } catch (error) {
        // A failure is not an answer: who asks next tries again.
        if (held.get(topic) === loading) held.delete(topic);
        throw error;
      }
    },
    forget(topic) {
      held.delete(topic);
    },
    forgetAll() {
      held.clear();
    },
  };
}
