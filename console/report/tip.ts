// What stands beside the pointer.
import { make } from './elements';

export class Tip {
  private readonly box = make('div', { class: 'tip', hidden: true });

  /// `place` must be what positions are relative to.
  constructor(private readonly place: HTMLElement) {
    place.append(this.box);
  }

  /// Shows `lines`, the first one strong, near a point of the place, and inside of it.
  show(left: number, top: number, lines: string[]): void {
    this.box.replaceChildren(...lines.map((line, at) => make(at === 0 ? 'strong' : 'span', {}, line)));
    this.box.hidden = false;
    const room = this.place.clientWidth - this.box.offsetWidth - 4;
    this.box.style.left = `${Math.max(0, Math.min(left + 14, room))}px`;
    const above = top - this.box.offsetHeight - 10;
    this.box.style.top = `${above >= 0 ? above : top + 16}px`;
  }

  hide(): void {
    this.box.hidden = true;
  }
}
