// The worker of molecules, as a page has it.
import type { Answer, Question } from './messages';

export class MoleculeWorker {
  private readonly worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'molecules' });

  constructor(listener: (answer: Answer) => void) {
    this.worker.onmessage = (event: MessageEvent<Answer>) => listener(event.data);
    // A module that does not load tells no reason.
    this.worker.onerror = (event) => listener({ type: 'failed', message: event.message || 'what draws structures could not be loaded' });
  }

  ask(question: Question): void {
    this.worker.postMessage(question);
  }

  close(): void {
    this.worker.terminate();
  }
}
