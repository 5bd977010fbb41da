/** What is emulated, as configured; it crosses to the process that does it. */
export interface EmulatorsSpec {
  readonly helios: {
    readonly host: string;
    readonly port: number;
    readonly job: string;
    readonly portName: string;
    /** Addresses of this machine that stand for hosts. */
    readonly hosts: readonly string[];
  };
  readonly kubernetes: {
    readonly host: string;
    readonly port: number;
    readonly namespace: string;
    readonly service: string;
    readonly portName: string;
    readonly podPort: number;
    readonly pods: number;
  };
  /** Plays a whole migration once the proxy is ready. */
  readonly rehearsal: boolean;
}

/** Who is rehearsed with. */
export interface Stage {
  /** Base URLs. */
  readonly proxy: string;
  readonly admin: string;
  readonly route: string;
}
