import { ratio } from './measure.ts';

/** One line of the table. */
export interface Figure {
  case: string;
  what: string;
  value: number;
  unit: '×' | 'MB' | 'ms' | 'wrong' | 'requests' | 'tries';
  /** None: for information. */
  limit?: number;
  /** The ratio of the fastest runs. */
  least?: number;
  /** Median milliseconds behind a ratio. */
  subject?: number;
  baseline?: number;
}

export function ratioFigure(
  name: string,
  what: string,
  subjects: number[],
  baselines: number[],
  limit?: number,
): Figure {
  const { median, least, subject, baseline } = ratio(subjects, baselines);
  return {
    case: name,
    what,
    value: median,
    unit: '×',
    ...(limit !== undefined && { limit }),
    least,
    subject,
    baseline,
  };
}
