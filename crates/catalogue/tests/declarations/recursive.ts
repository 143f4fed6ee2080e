/** A node, with those below it. */
type TreeNode = { name: string; children?: TreeNode[] };
type TreeNode2 = { up?: TreeNode2 };
declare const tools: {
  server__tool(input: {
    tree: TreeNode;
    /** What to remember. */
    note?: { text?: string };
    /** @minLength 3 */
    ids?: string;
    /** @minLength 3 */
    other?: string;
  }): Promise<TreeNode2>;
};
