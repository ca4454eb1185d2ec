/** Line icons on a grid of 24, drawn for this widget. They take the colour of the text around them. */

import { type Child, Fragment, h } from "./dom";

const icon = (content: Child, size = 20) => (
  <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" aria-hidden="true">
    <g stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">
      {content}
    </g>
  </svg>
);

export const chatIcon = icon(
  <>
    <path d="M20 11.2c0 4-3.6 7.2-8 7.2-1.2 0-2.3-.2-3.3-.6L4.5 19l1.2-3.5A6.7 6.7 0 0 1 4 11.2C4 7.2 7.6 4 12 4s8 3.2 8 7.2Z" />
    <path d="M8.7 11.3h.01M12 11.3h.01M15.3 11.3h.01" stroke-width="2.2" />
  </>,
  24,
);
export const downIcon = icon(<path d="m6 9.5 6 6 6-6" />, 24);
export const upIcon = icon(<path d="m6.5 14.5 5.5-5.5 5.5 5.5" />, 16);
export const backIcon = icon(<path d="m14.5 6.5-5.5 5.5 5.5 5.5" />, 18);
export const closeIcon = icon(<path d="m6.5 6.5 11 11m0-11-11 11" />);
export const moreIcon = icon(<path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="2.6" />);
export const sendIcon = icon(<path d="M12 19V5.5m-5.5 5L12 5l5.5 5.5" />);
export const personIcon = icon(
  <>
    <path d="M4.5 14.5v-2.3a7.5 7.5 0 0 1 15 0v2.3" />
    <path d="M4.5 14.2c0-.9.7-1.6 1.6-1.6h1.2v5.2H6.1c-.9 0-1.6-.7-1.6-1.6v-2Zm15 0c0-.9-.7-1.6-1.6-1.6h-1.2v5.2h1.2c.9 0 1.6-.7 1.6-1.6v-2ZM17.9 17.8c0 1.7-1.7 2.7-4.4 2.7" />
  </>,
  18,
);
export const newIcon = icon(
  <path d="M12 5H7a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-5m-8.5 1.5.6-2.5 6.9-6.9 1.9 1.9-6.9 6.9-2.5.6Z" />,
  18,
);
export const endIcon = icon(
  <path d="M13.5 5H7a1.5 1.5 0 0 0-1.5 1.5v11A1.5 1.5 0 0 0 7 19h6.5m2.5-3.5 3.5-3.5L16 8.5m3.3 3.5H10.5" />,
  18,
);
export const pastIcon = icon(<path d="M5 12a7 7 0 1 1 2.2 5.1M4.5 14.5 5 12l2.4.9M12 8.5V12l2.3 1.6" />, 18);
export const saveIcon = icon(<path d="M12 5v9.5m-4-3.7 4 4 4-4M5.5 18.5h13" />, 18);
export const upVoteIcon = icon(
  <path d="M7.5 10.8 11.3 4c1.4 0 2.3 1.1 2.1 2.5L13 9.5h4.7c1.2 0 2.1 1.1 1.8 2.3l-1.2 5.4c-.2 1-1 1.6-2 1.6H7.5m0-8v8m0-8H4.5v8h3" />,
  18,
);
export const downVoteIcon = icon(
  <path d="M16.5 13.2 12.7 20c-1.4 0-2.3-1.1-2.1-2.5l.4-3H6.3c-1.2 0-2.1-1.1-1.8-2.3l1.2-5.4c.2-1 1-1.6 2-1.6h8.8m0 8v-8m0 8h3v-8h-3" />,
  18,
);
export const sourceIcon = icon(
  <path d="M12 7c-1.6-1.3-3.7-1.9-6.5-1.9v12.4c2.8 0 4.9.6 6.5 1.9 1.6-1.3 3.7-1.9 6.5-1.9V5.1C15.7 5.1 13.6 5.7 12 7Zm0 0v12" />,
  16,
);
export const outIcon = icon(<path d="M13.5 5.5H18.5V10.5M18 6l-7.5 7.5M15.5 14v3.5H6.5v-9H10" />, 14);
export const clockIcon = icon(
  <>
    <circle cx="12" cy="12" r="7.5" />
    <path d="M12 8v4.3l2.5 1.5" />
  </>,
  14,
);
export const sentIcon = icon(<path d="m5.5 12.5 4.5 4.5 8.5-9.5" stroke-width="2.2" />, 14);
export const readIcon = icon(
  <path d="m1.5 12.5 4.5 4.5L14 7.5m-3.5 8.5 1 1 8.5-9.5" stroke-width="2.2" />,
  14,
);
export const failedIcon = icon(
  <>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 8v4.5m0 3.2v.01" stroke-width="2.2" />
  </>,
  14,
);
export const nextIcon = icon(<path d="m9.5 6.5 5.5 5.5-5.5 5.5" />, 16);
