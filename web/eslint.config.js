import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

export default typescript.config(
  { ignores: ['dist', 'src/api/generated'] },
  ...typescript.configs.strict,
  a11y.flatConfigs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      // A label may hold its field.
      'jsx-a11y/label-has-associated-control': ['error', { assert: 'either', depth: 3 }],
      'no-control-regex': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
);
