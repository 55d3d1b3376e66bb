create trigger update_negotiations_updated_at before update on public.negotiations for each row execute function public.update_updated_at_column();

comment on trigger update_negotiations_updated_at on public.negotiations is 'Keeps updated_at and version.';
