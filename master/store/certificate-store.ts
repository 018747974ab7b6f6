export interface Certificate {
  readonly serial: number;
  /** 136 bytes, hex. */
  readonly bytes: string;
  readonly createdAt: string;
}

export interface CertificateStore {
  /** Of the highest serial. */
  newest(): Promise<Certificate | null>;
  /** Throws unless the serial is higher than any before. */
  add(certificate: Certificate): Promise<void>;
}
