/* What Dash and Plotly bring to the page, as far as the page uses it. */

interface Window {
  /** Lays the page out as soon as it is made. */
  DashRenderer: new (hooks: Record<string, (callback: any) => void>) => unknown;
  dash_clientside: {
    /** What a callback returns that changes nothing. */
    no_update: unknown;
    set_props(id: string, props: Record<string, unknown>): void;
    /** The callbacks of the page. */
    squiggle?: Record<string, (value: any) => unknown>;
  };
  Plotly: {
    relayout(graph: Element, changes: Record<string, unknown>): Promise<unknown>;
    update(graph: Element, traces: Record<string, unknown>, layout: Record<string, unknown>): Promise<unknown>;
    downloadImage(graph: Element, options: object): Promise<unknown>;
    purge(graph: Element): void;
    toImage(graph: Element, options: object): Promise<string>;
    react(graph: Element, data: object[], layout: object, config: object): Promise<unknown>;
  };
}
