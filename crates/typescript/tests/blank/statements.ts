import type { A } from 'a';
import { type B } from 'b'; import { type E, f } from 'b';
export type { A };
export { type C, a as b };
type C = { a: 1 } | `${number}px`;
interface D<T> extends E<T> { (x: T): void; new (): D<T>; [key: string]: T }
declare const e: number;
declare function f(): void;
declare class G { x: number }
declare enum H { A }
declare global { interface Array<T> { x: T } }
declare module 'm' { export const x: 1 }
namespace N { export type X = 1; namespace M { interface I {} } }
export default interface J {}
function over(x: string): string;
function over(x: number): number;
function over(x: any) { return x }
const a = over(1);
