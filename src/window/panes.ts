// The machine of windows: events and time go in, panes come out.

export type { Emit, Pane, PaneWindow } from './pane.ts'
