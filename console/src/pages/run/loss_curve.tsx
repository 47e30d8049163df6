// How a training goes: its losses as a curve, which grows while the run does.
import { useEffect, useRef, useState } from 'react';
import { drawPlot, type DrawnPlot } from '../../../report/plots';
import { useShownTheme } from '../../theme';
import { formatNumber } from '../../ui/format';
import { latestOf, plotOf, type Curve } from './curve';
import './loss_curve.css';

const short = (value: number | null) => (value === null ? '–' : formatNumber(Number(value.toPrecision(4))));

export default function LossCurve({ curve, over }: { curve: Curve; over: boolean }) {
  const [logX, setLogX] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<DrawnPlot | null>(null);
  const theme = useShownTheme();

  useEffect(() => {
    if (plot.current) plot.current.update(plotOf(curve, logX));
    else if (place.current) plot.current = drawPlot(place.current, plotOf(curve, logX));
  }, [curve, logX]);
  useEffect(() => plot.current?.redraw(), [theme]);
  useEffect(
    () => () => {
      plot.current?.remove();
      plot.current = null;
    },
    [],
  );

  const latest = latestOf(curve);
  return (
    <section className="loss-curve" aria-label="Training" data-test="loss-curve">
      <div className="section-head">
        <p className="muted">
          {over ? 'Ended at step' : 'Step'} {formatNumber(latest.step)} · loss {short(latest.loss)}
          {latest.heldOut !== null && ` · held out ${short(latest.heldOut)}`}
          {latest.rate !== null && ` · learning rate ${short(latest.rate)}`}
        </p>
        <div className="choice" role="group" aria-label="Scale of steps">
          <button type="button" className="small" aria-pressed={!logX} onClick={() => setLogX(false)}>
            Linear
          </button>
          <button type="button" className="small" aria-pressed={logX} onClick={() => setLogX(true)}>
            Logarithmic
          </button>
        </div>
      </div>
      <div className="plot" ref={place} />
    </section>
  );
}
