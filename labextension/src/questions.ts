// Questions to the kernel that wait for their answers.

export class Questions {
  private waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  /** Pages of one conversation hear each other's answers: each begins somewhere else. */
  private asked = crypto.getRandomValues(new Uint32Array(1))[0]!;

  /** Ask one: `send` sends it with its number. Rejects with what was in the way. */
  ask(send: (number: number) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const number = ++this.asked;
      this.waiting.set(number, { resolve, reject });
      send(number);
    });
  }

  answered(answer: { to: number; value?: unknown; error?: string }): void {
    const question = this.waiting.get(answer.to);
    this.waiting.delete(answer.to);
    if (answer.error !== undefined) question?.reject(new Error(answer.error));
    else question?.resolve(answer.value);
  }

  /** None of them is answered any more. */
  drop(why: string): void {
    for (const question of this.waiting.values()) question.reject(new Error(why));
    this.waiting.clear();
  }
}
