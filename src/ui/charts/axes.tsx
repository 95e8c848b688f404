import { CartesianGrid, ReferenceLine, XAxis, YAxis } from 'recharts';
import { type AxisScale, roundScale } from '../core/ticks';
import { useChartData } from './chart-data';

export const SYNC = 'bench';
export const MARGIN = { top: 6, right: 10, bottom: 0, left: 0 } as const;
export const CURSOR = { stroke: 'var(--signal)', strokeWidth: 1 } as const;
export const AXIS_WIDTH = 40;

export const TICK = { fill: 'var(--muted)', fontSize: 10.5 };

/** The x axis that all charts share. */
export function SharedXAxis({ wide }: { wide?: boolean }) {
  const { xAxis, extent } = useChartData();
  const { domain, ticks, format } = roundScale(...extent, { count: wide ? 9 : 5, fixed: true });
  return (
    <XAxis
      dataKey={xAxis}
      type="number"
      domain={domain}
      ticks={ticks}
      allowDataOverflow
      tickFormatter={format}
      tick={TICK}
      tickLine={false}
      axisLine={{ stroke: 'var(--line-strong)' }}
      interval={0}
      height={18}
    />
  );
}

interface ValueAxisProps {
  id?: string;
  side?: 'left' | 'right';
  scale: AxisScale;
  logarithmic?: boolean;
}

export function ValueAxis({ id, side = 'left', scale, logarithmic }: ValueAxisProps) {
  return (
    <YAxis
      {...(id ? { yAxisId: id } : {})}
      orientation={side}
      width={AXIS_WIDTH}
      scale={logarithmic ? 'log' : 'linear'}
      domain={scale.domain}
      ticks={scale.ticks}
      tickFormatter={scale.format}
      interval={0}
      tick={TICK}
      tickLine={false}
      axisLine={false}
      allowDataOverflow
    />
  );
}

export function Grid({ yAxisId }: { yAxisId?: string }) {
  return <CartesianGrid stroke="var(--line)" vertical={false} {...(yAxisId ? { yAxisId } : {})} />;
}

/** Where the run was changed on the way, and where the model was cut to its target shape. */
export function RunMarks({ yAxisId, named }: { yAxisId?: string; named?: boolean }) {
  const { cutAt, marks } = useChartData();
  const axis = yAxisId ? { yAxisId } : {};
  return (
    <>
      {marks.map(({ at, text }, i) => (
        <ReferenceLine
          key={`mark${i}`}
          x={at}
          stroke="var(--ink)"
          strokeOpacity={0.45}
          {...axis}
          {...(named ? { label: <MarkHandle text={text} /> } : {})}
        />
      ))}
      {cutAt !== null && (
        <ReferenceLine
          x={cutAt}
          stroke="var(--signal)"
          strokeDasharray="2 2"
          {...axis}
          {...(named
            ? { label: { value: 'cut', position: 'insideTopLeft', fill: 'var(--signal)', fontSize: 11 } }
            : {})}
        />
      )}
    </>
  );
}

/** The mark's grip: what was changed is read when it is pointed at or has the focus. */
function MarkHandle({
  text,
  viewBox,
}: {
  text: string;
  viewBox?: { x?: number; y?: number; width?: number };
}) {
  const { x = 0, y = 0 } = viewBox ?? {};
  return (
    <g className="mark" tabIndex={0} role="img" aria-label={text}>
      <title>{text}</title>
      <rect x={x - 8} y={y - 6} width={16} height={16} fill="transparent" />
      <path className="mark-handle" d={`M${x - 4} ${y - 4}h8v5l-4 4-4-4z`} />
      <text className="mark-text" x={x + 8} y={y + 6}>
        {text}
      </text>
    </g>
  );
}
