create trigger update_compliance_rules_updated_at before update on public.compliance_rules for each row execute function public.update_updated_at_column();

comment on trigger update_compliance_rules_updated_at on public.compliance_rules is 'Keeps updated_at.';
