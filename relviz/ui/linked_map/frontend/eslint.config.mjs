// What `npm run lint` asks of the TypeScript beside what the compiler does.
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import { configs } from "typescript-eslint";

const typed = configs.recommendedTypeChecked.map((part) => ({ ...part, files: ["**/*.ts"] }));

export default [
  { ignores: [".tests/"] },
  ...typed,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    plugins: { "import-x": importX },
    settings: {
      "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
      "import-x/resolver-next": [createNodeResolver({ extensions: [".ts"] })],
    },
    rules: {
      eqeqeq: "error",
      "import-x/no-cycle": "error",
      "import-x/no-self-import": "error",
      "import-x/no-unresolved": "error", // else a circle through an import that is not followed would go unseen
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", name: "test", package: "node:test" }] },
      ],
    },
  },
];
