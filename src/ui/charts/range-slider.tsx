import { Slider } from 'radix-ui';
import { stepOf } from '../core/run-record';
import { setView, useView } from '../view-store';
import { useChartData } from './chart-data';

/** The zoom of all charts: the first and the last step that they show. */
export function RangeSlider() {
  const { run } = useChartData();
  const range = useView((view) => view.range);
  const last = run ? stepOf(run) : 0;
  if (last < 20) return null;
  const [from, to] = range ?? [0, last];
  return (
    <div className="zoom">
      <Slider.Root
        className="slider zoom-slider"
        min={0}
        max={last}
        step={1}
        minStepsBetweenThumbs={10}
        value={[from, Math.min(to, last)]}
        onValueChange={([first, end]) => {
          const whole = first === 0 && end === last;
          setView({ range: whole || first === undefined || end === undefined ? null : [first, end] });
        }}
      >
        <Slider.Track className="slider-track">
          <Slider.Range className="slider-range" />
        </Slider.Track>
        <Slider.Thumb className="slider-thumb" aria-label="Zoom from" />
        <Slider.Thumb className="slider-thumb" aria-label="Zoom to" />
      </Slider.Root>
      {range && (
        <button type="button" className="quiet" onClick={() => setView({ range: null })}>
          whole run
        </button>
      )}
    </div>
  );
}
