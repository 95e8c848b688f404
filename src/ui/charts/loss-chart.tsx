import { memo } from 'react';
import { Line, LineChart, ReferenceLine, Tooltip } from 'recharts';
import type { ChartRow } from '../core/chart-rows';
import { extentOf, logarithmicScale, roundScale } from '../core/ticks';
import { DOMAIN_COLOURS } from '../core/theme-colours';
import { Segmented } from '../controls/segmented';
import { setView, toggleDomain, useView } from '../view-store';
import { CURSOR, RunMarks, Grid, MARGIN, SharedXAxis, SYNC, ValueAxis } from './axes';
import { useChartData } from './chart-data';
import { ChartFrame } from './chart-frame';
import { Readout } from './readout';
import { RangeSlider } from './range-slider';

const NOTE = 'Loss of every domain in nats a token; the dashed line is its reference loss.';

/** How far the batch of a step is from the source's predictions, where the source teaches. */
const DIVERGENCE = {
  name: 'KL from the source',
  colour: 'transparent',
  value: (row: ChartRow) => row['divergence'],
};

/** Between evaluations the newest held-out losses are shown: this says of which step. */
const heldNote = ({ step, lastStep }: ChartRow) =>
  lastStep === undefined || lastStep === step
    ? ''
    : lastStep === 0
      ? 'held-out losses of the source'
      : `held-out losses of step ${lastStep}`;

/** Held-out or training loss of every domain against its reference. */
export const LossChart = memo(function LossChart() {
  const { rows, run, overlaid, names, domains, theme } = useChartData();
  const { logarithmic, losses, smoothing, hiddenDomains, xAxis } = useView();
  const colours = DOMAIN_COLOURS[theme];
  const visible = domains
    .map((title, index) => ({ title, index }))
    .filter(({ index }) => !hiddenDomains.includes(index));
  const reference = run?.started.scalingLaw?.loss ?? run?.started.referenceLoss;
  const prefix = losses === 'held' ? 'held' : 'trained';
  // Evaluations are what two runs can be compared by: training losses depend on the windows that were drawn.
  const other = overlaid && losses === 'held' ? overlaid : null;
  const drawn = visible.flatMap(({ index }) => [
    reference?.[index],
    ...rows.flatMap((row) => [row[`${prefix}${index}`], other ? row[`other${index}`] : undefined]),
  ]);
  const extent = extentOf(drawn) ?? [0, 5];
  const scale = logarithmic ? logarithmicScale(...extent) : roundScale(...extent);

  return (
    <ChartFrame
      title="Loss by domain"
      className="chart-loss"
      note={NOTE}
      columns={[
        ...domains.map((title, index) => ({ title, value: (row: ChartRow) => row[`${prefix}${index}`] })),
        ...(other
          ? domains.map((title, index) => ({
              title: `${title}, ${names[1]}`,
              value: (row: ChartRow) => row[`other${index}`],
            }))
          : []),
        ...(rows.some((row) => DIVERGENCE.value(row) !== undefined)
          ? [{ title: DIVERGENCE.name, value: DIVERGENCE.value }]
          : []),
      ]}
      actions={
        <>
          <Segmented
            name="Which loss"
            value={losses}
            options={[
              { value: 'held', label: 'held-out' },
              { value: 'trained', label: 'training' },
            ]}
            onChange={(value) => setView({ losses: value })}
          />
          {losses === 'trained' && (
            <label className="inline-range">
              smooth
              <input
                type="range"
                min={0}
                max={0.98}
                step={0.02}
                value={smoothing}
                aria-label="Smoothing of training losses"
                onChange={(event) => setView({ smoothing: Number(event.target.value) })}
              />
            </label>
          )}
          <label className="inline-check">
            <input
              type="checkbox"
              checked={logarithmic}
              onChange={(event) => setView({ logarithmic: event.target.checked })}
            />
            log
          </label>
          <Segmented
            name="Horizontal axis"
            value={xAxis}
            options={[
              { value: 'step', label: 'steps' },
              { value: 'tokens', label: 'tokens' },
              { value: 'seconds', label: 'seconds' },
            ]}
            onChange={(value) => setView({ xAxis: value })}
          />
        </>
      }
      footer={
        <div className="chart-foot">
          <div className="series" role="group" aria-label="Domains shown">
            {domains.map((title, index) => (
              <button
                key={title}
                type="button"
                aria-pressed={!hiddenDomains.includes(index)}
                onClick={() => toggleDomain(index)}
              >
                <i style={{ background: colours[index % colours.length] }} />
                {title}
              </button>
            ))}
          </div>
          {run && overlaid && <OverlayLegend shown={names[0]} other={names[1]} drawn={other !== null} />}
          <RangeSlider />
        </div>
      }
    >
      <LineChart data={rows} syncId={SYNC} margin={MARGIN}>
        <Grid />
        <SharedXAxis wide />
        <ValueAxis scale={scale} logarithmic={logarithmic} />
        {reference &&
          visible.map(({ index }) => (
            <ReferenceLine
              key={`reference${index}`}
              y={reference[index] ?? 0}
              stroke={colours[index % colours.length] ?? ''}
              strokeDasharray="4 4"
              strokeOpacity={0.75}
              ifOverflow="extendDomain"
            />
          ))}
        <RunMarks named />
        <Tooltip
          cursor={CURSOR}
          isAnimationActive={false}
          filterNull={false}
          content={
            <Readout
              {...(losses === 'held' && { note: heldNote })}
              {...(run && other && { runs: names })}
              series={[
                ...visible.map(({ title, index }) => ({
                  name: title,
                  colour: colours[index % colours.length] ?? '',
                  value: (row: ChartRow) => row[`${losses === 'held' ? 'last' : 'trained'}${index}`],
                  other: (row: ChartRow) => row[`otherLast${index}`],
                })),
                DIVERGENCE,
              ]}
            />
          }
        />
        {other &&
          visible.map(({ index }) => (
            <Line
              key={`other${index}`}
              dataKey={`other${index}`}
              stroke={colours[index % colours.length] ?? ''}
              strokeWidth={1}
              dot={{ r: 2.5, fill: 'var(--surface)', strokeWidth: 1.5 }}
              activeDot={false}
              connectNulls
              isAnimationActive={false}
            />
          ))}
        {visible.map(({ index }) => (
          <Line
            key={`${prefix}${index}`}
            dataKey={`${prefix}${index}`}
            stroke={colours[index % colours.length] ?? ''}
            strokeWidth={1.75}
            dot={false}
            activeDot={{ r: 2.5, strokeWidth: 0 }}
            connectNulls
            isAnimationActive={false}
          />
        ))}
      </LineChart>
    </ChartFrame>
  );
});

/** Tells the two runs apart: the shown one is a plain line, the overlaid one a thin line with a ring an evaluation. */
function OverlayLegend({ shown, other, drawn }: { shown: string; other: string; drawn: boolean }) {
  return (
    <p className="overlay-legend">
      <svg viewBox="0 0 24 8" width="24" height="8" aria-hidden="true">
        <path d="M0 4h24" stroke="currentColor" strokeWidth="1.75" />
      </svg>
      {shown}
      <svg viewBox="0 0 24 8" width="24" height="8" aria-hidden="true">
        <path d="M0 4h24" stroke="currentColor" />
        <circle cx="12" cy="4" r="2.5" fill="var(--surface)" stroke="currentColor" strokeWidth="1.5" />
      </svg>
      {other}
      {!drawn && ', over held-out losses only'}
    </p>
  );
}
