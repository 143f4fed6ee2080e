function deep() {
  throw new RangeError('too far');
}

deep();
