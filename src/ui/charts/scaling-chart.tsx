import {
  CartesianGrid,
  Line,
  LineChart,
  ReferenceArea,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
} from 'recharts';
import { type DomainFit, fitFamily, isExtrapolated, type ModelCard } from '../../data/model-family';
import { lossAt } from '../../data/scaling-law';
import { domainTitle } from '../core/domain-title';
import { formatCount, formatNumber } from '../core/format';
import { type ScalingRow, scalingRows } from '../core/scaling-rows';
import { extentOf, roundScale } from '../core/ticks';
import { DOMAIN_COLOURS } from '../core/theme-colours';
import { useTheme } from '../use-theme';
import { toggleDomain, useView } from '../view-store';
import { CURSOR, MARGIN, TICK, ValueAxis } from './axes';

interface ScalingChartProps {
  /** Smallest first. */
  family: readonly ModelCard[];
  source: string;
  /** Parameters of the target; null while the source's shape is not known. */
  target: number | null;
}

/** What each member of the family reaches, by domain, and the law that continues it to the target's size. */
export function ScalingChart({ family, source, target }: ScalingChartProps) {
  const colours = DOMAIN_COLOURS[useTheme()];
  const hidden = useView((view) => view.hiddenDomains);
  const fits = fitFamily(family);
  const series = fits.map(({ domain }, index) => ({
    title: domainTitle(domain),
    index,
    colour: colours[index % colours.length] ?? '',
    visible: !hidden.includes(index),
  }));
  const visible = series.filter((entry) => entry.visible);
  const rows = scalingRows(fits, target);
  const [smallest, largest] = [family[0]?.parameters ?? 0, family.at(-1)?.parameters ?? 0];
  const own = family.find(({ name }) => name === source);
  const fitted = fits.some(({ fit }) => 'law' in fit);

  return (
    <>
      <div
        className="scaling-plot"
        role="group"
        aria-label="Validation loss of the family’s models by number of parameters, with the fitted scaling law of every domain. The table below has the numbers."
      >
        <ResponsiveContainer width="100%" height="100%" debounce={60}>
          <LineChart data={rows} margin={{ ...MARGIN, top: 18 }}>
            <CartesianGrid stroke="var(--line)" vertical={false} />
            <XAxis
              dataKey="parameters"
              type="number"
              scale="log"
              domain={['dataMin', 'dataMax']}
              ticks={family.map(({ parameters }) => parameters)}
              tickFormatter={formatCount}
              tick={TICK}
              axisLine={{ stroke: 'var(--line-strong)' }}
              height={20}
            />
            <ValueAxis scale={roundScale(...lossExtent(rows, visible))} />
            {fitted && target !== null && target < smallest && (
              <Beyond from={rows[0]?.parameters} to={smallest} />
            )}
            {fitted && target !== null && target > largest && (
              <Beyond from={largest} to={rows.at(-1)?.parameters} />
            )}
            {own && (
              <ReferenceLine
                x={own.parameters}
                stroke="var(--muted)"
                label={{ value: 'source', position: 'top', fill: 'var(--muted)', fontSize: 11 }}
              />
            )}
            {target !== null && (
              <ReferenceLine
                x={target}
                stroke="var(--signal)"
                strokeDasharray="2 2"
                label={{ value: 'target', position: 'top', fill: 'var(--signal)', fontSize: 11 }}
              />
            )}
            <Tooltip cursor={CURSOR} isAnimationActive={false} content={<SizeReadout series={visible} />} />
            {visible.flatMap(({ index, colour }) => [
              <Line
                key={`beyond${index}`}
                dataKey={`beyond${index}`}
                stroke={colour}
                strokeWidth={1.5}
                strokeDasharray="4 3"
                dot={false}
                activeDot={false}
                isAnimationActive={false}
              />,
              <Line
                key={`within${index}`}
                dataKey={`within${index}`}
                stroke={colour}
                strokeWidth={1.75}
                dot={false}
                activeDot={{ r: 2.5, strokeWidth: 0 }}
                isAnimationActive={false}
              />,
              <Line
                key={`point${index}`}
                dataKey={`point${index}`}
                stroke="none"
                dot={{ r: 3.5, fill: colour, stroke: 'var(--surface)', strokeWidth: 1 }}
                activeDot={false}
                isAnimationActive={false}
              />,
            ])}
          </LineChart>
        </ResponsiveContainer>
      </div>
      <div className="series" role="group" aria-label="Domains shown">
        {series.map(({ title, index, colour, visible }) => (
          <button key={title} type="button" aria-pressed={visible} onClick={() => toggleDomain(index)}>
            <i style={{ background: colour }} />
            {title}
          </button>
        ))}
      </div>
      <Problems fits={fits} />
      <ScalingTable fits={fits} family={family} target={target} />
    </>
  );
}

/** The least and the greatest loss that is drawn. */
function lossExtent(rows: readonly ScalingRow[], series: readonly { index: number }[]): [number, number] {
  const values = series.flatMap(({ index }) =>
    rows.flatMap((row) => [row[`point${index}`], row[`within${index}`], row[`beyond${index}`]]),
  );
  return extentOf(values) ?? [0, 5];
}

/** The part of the axis where the law says more than was measured. */
function Beyond({ from, to }: { from: number | undefined; to: number | undefined }) {
  return (
    <ReferenceArea
      {...(from === undefined ? {} : { x1: from })}
      {...(to === undefined ? {} : { x2: to })}
      fill="var(--caution-soft)"
      fillOpacity={0.6}
      label={{ value: 'extrapolated', position: 'insideBottom', fill: 'var(--muted)', fontSize: 11 }}
    />
  );
}

interface SizeReadoutProps {
  series: readonly { title: string; index: number; colour: string }[];
  /** Given by recharts. */
  active?: boolean;
  payload?: readonly { payload?: unknown }[];
}

/** The numbers under the pointer: what was measured there, else what the law says. */
function SizeReadout({ series, active, payload }: SizeReadoutProps) {
  const row = payload?.find((item) => item.payload)?.payload as ScalingRow | undefined;
  if (!active || !row) return null;
  return (
    <div className="readout">
      <div className="readout-head">{formatCount(row.parameters)} parameters</div>
      {series.map(({ title, index, colour }) => {
        const loss = row[`point${index}`] ?? row[`within${index}`] ?? row[`beyond${index}`];
        return (
          loss !== undefined && (
            <div key={title} className="readout-line">
              <i style={{ background: colour }} />
              <span>{title}</span>
              <b>{formatNumber(loss)}</b>
            </div>
          )
        );
      })}
    </div>
  );
}

/** Why domains have no law; the same reason is given once. */
function Problems({ fits }: { fits: readonly DomainFit[] }) {
  const domains = new Map<string, string[]>();
  for (const { domain, fit } of fits) {
    if ('problem' in fit)
      domains.set(fit.problem, [...(domains.get(fit.problem) ?? []), domainTitle(domain)]);
  }
  return [...domains].map(([problem, titles]) => (
    <p key={problem} className="hint">
      {titles.length < fits.length && `${titles.join(', ')}: `}
      {problem}
    </p>
  ));
}

function ScalingTable({
  fits,
  family,
  target,
}: {
  fits: readonly DomainFit[];
  family: readonly ModelCard[];
  target: number | null;
}) {
  const extrapolated = target !== null && isExtrapolated(family, target);
  const loss = (value: number) => formatNumber(value, 4);
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Reference losses, table">
      <table>
        <caption className="visually-hidden">
          Validation loss of every model by domain, and the scaling law a/N^b + c
        </caption>
        <thead>
          <tr>
            <th scope="col">Domain</th>
            {family.map(({ name, parameters }) => (
              <th key={name} scope="col">
                {name} <span className="muted">{formatCount(parameters)}</span>
              </th>
            ))}
            {target !== null && (
              <th scope="col">
                target <span className="muted">{formatCount(target)}</span>
                {extrapolated && <span className="muted"> extrapolated</span>}
              </th>
            )}
            <th scope="col">b</th>
            <th scope="col">c</th>
          </tr>
        </thead>
        <tbody>
          {fits.map(({ domain, points, fit }) => (
            <tr key={domain}>
              <th scope="row">{domainTitle(domain)}</th>
              {points.map((point) => (
                <td key={point.parameters}>{loss(point.loss)}</td>
              ))}
              {target !== null && (
                <td className="strong">{'law' in fit ? loss(lossAt(fit.law, target)) : '–'}</td>
              )}
              <td>{'law' in fit ? formatNumber(fit.law.b) : '–'}</td>
              <td>{'law' in fit ? formatNumber(fit.law.c) : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
