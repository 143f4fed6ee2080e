const o = {}; o.o = o;
export default o;
