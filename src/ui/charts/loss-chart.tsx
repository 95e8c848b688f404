import { memo } from 'react';
import { Line, LineChart, ReferenceLine, Tooltip } from 'recharts';
import { DOMAIN_COLOURS } from '../core/theme-colours';
import { Segmented } from '../controls/segmented';
import { setView, toggleDomain, useView } from '../view-store';
import { CURSOR, CutMark, Grid, MARGIN, SharedXAxis, SYNC, ValueAxis } from './axes';
import { useChartData } from './chart-data';
import { ChartFrame } from './chart-frame';
import { Readout } from './readout';
import { RangeSlider } from './range-slider';

const NOTE = 'Loss of every domain in nats a token; the dashed line is its reference loss.';

/** Held-out or training loss of every domain against its reference. */
export const LossChart = memo(function LossChart() {
  const { rows, run, overlaid, domains, theme } = useChartData();
  const { logarithmic, losses, smoothing, hiddenDomains, xAxis } = useView();
  const colours = DOMAIN_COLOURS[theme];
  const visible = domains
    .map((title, index) => ({ title, index }))
    .filter(({ index }) => !hiddenDomains.includes(index));
  const reference = run?.started.scalingLaw?.loss ?? run?.started.referenceLoss;
  const prefix = losses === 'held' ? 'held' : 'trained';

  return (
    <ChartFrame
      title="Loss by domain"
      className="chart-loss"
      note={NOTE}
      columns={domains.map((title, index) => ({ title, value: (row) => row[`${prefix}${index}`] }))}
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
          <RangeSlider />
        </div>
      }
    >
      <LineChart data={rows} syncId={SYNC} margin={MARGIN}>
        <Grid />
        <SharedXAxis />
        <ValueAxis logarithmic={logarithmic} />
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
        <CutMark named />
        <Tooltip
          cursor={CURSOR}
          isAnimationActive={false}
          content={
            <Readout
              series={visible.map(({ title, index }) => ({
                name: title,
                colour: colours[index % colours.length] ?? '',
                value: (row) => row[`${losses === 'held' ? 'last' : 'trained'}${index}`],
              }))}
            />
          }
        />
        {overlaid &&
          losses === 'held' &&
          visible.map(({ index }) => (
            <Line
              key={`other${index}`}
              dataKey={`other${index}`}
              stroke={colours[index % colours.length] ?? ''}
              strokeWidth={1}
              strokeOpacity={0.55}
              strokeDasharray="1 3"
              dot={false}
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
