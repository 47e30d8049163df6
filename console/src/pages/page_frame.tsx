// A page that a run wrote, such as its report, kept in a sandbox: it may draw itself and offer
// downloads, but reads nothing of the console.
import { useEffect, useRef, useState } from 'react';
import { useShownTheme } from '../theme';

/// What a report tells the page around it, so that one scroll bar is enough.
interface Message {
  height?: unknown;
  scrollTo?: unknown;
}

const kShortest = 240;
const kTallest = 60000;

export function PageFrame({ address, title }: { address: string; title: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState<number | null>(null);
  const theme = useShownTheme();
  // A change of the part behind '#' changes the colours without loading the page anew.
  const source = `${address}#${theme}`;

  useEffect(() => {
    function hear(event: MessageEvent<{ acesoReport?: Message } | null>) {
      const element = frame.current;
      const message = typeof event.data === 'object' ? event.data?.acesoReport : undefined;
      if (!element || event.source !== element.contentWindow || !message) return;
      if (typeof message.height === 'number') {
        setHeight(Math.min(kTallest, Math.max(kShortest, Math.ceil(message.height))));
      }
      if (typeof message.scrollTo === 'number') {
        window.scrollTo({ top: element.getBoundingClientRect().top + window.scrollY + message.scrollTo - 16 });
      }
    }
    window.addEventListener('message', hear);
    return () => window.removeEventListener('message', hear);
  }, []);

  return (
    <iframe
      ref={frame}
      className="page-frame"
      title={title}
      src={source}
      sandbox="allow-scripts allow-downloads"
      style={height === null ? undefined : { height }}
    />
  );
}
